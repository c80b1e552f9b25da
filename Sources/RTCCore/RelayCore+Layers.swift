/// The encodings of a track from the smallest picture to the largest.
struct LayerOrder {
  private var ranks: (Int8, Int8, Int8) = (0, 1, 2)

  /// - Parameter heights: of the layers in the order they were offered; 0 where there is none or it is not known yet.
  ///
  /// Publishers disagree about which comes first: browsers' pages name the largest or the smallest, OBS the largest. So
  /// the pictures' own heights decide once all present layers have one; until then the order of the offer does.
  init(heights: (UInt16, UInt16, UInt16), isPresent: (Bool, Bool, Bool)) {
    let isKnown =
      (!isPresent.0 || heights.0 > 0) && (!isPresent.1 || heights.1 > 0) && (!isPresent.2 || heights.2 > 0)
    guard isKnown else { return }
    // Equal heights, and layers that are not there, keep the order of the offer.
    ranks.0 = (heights.1 < heights.0 ? 1 : 0) + (heights.2 < heights.0 ? 1 : 0)
    ranks.1 = (heights.0 <= heights.1 ? 1 : 0) + (heights.2 < heights.1 ? 1 : 0)
    ranks.2 = (heights.0 <= heights.2 ? 1 : 0) + (heights.1 <= heights.2 ? 1 : 0)
  }

  /// 0 for the smallest.
  func rank(of layer: Int8) -> Int8 {
    switch layer {
    case 0: ranks.0
    case 1: ranks.1
    case 2: ranks.2
    default: -1
    }
  }

  /// The layer of a rank.
  func layer(at rank: Int8) -> Int8 { ranks.0 == rank ? 0 : ranks.1 == rank ? 1 : 2 }
}

extension RelayCore {
  func layerOrder(of trackIndex: Int32) -> LayerOrder {
    let layers = tracks[trackIndex].pointee.layers
    func height(_ stream: Int32) -> UInt16 { stream < 0 ? 0 : streams[stream].pointee.height }
    return LayerOrder(
      heights: (height(layers.0), height(layers.1), height(layers.2)),
      isPresent: (layers.0 >= 0, layers.1 >= 0, layers.2 >= 0))
  }
}
