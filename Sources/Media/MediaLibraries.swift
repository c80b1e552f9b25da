internal import CLibAV

/// What the installed libav libraries can do.
public enum MediaLibraries {
  /// Codecs that this machine encodes and decodes, by their subtypes of RTP in small letters.
  public static var codecs: [String] {
    let known = [("h264", "libx264", "h264"), ("opus", "libopus", "libopus"), ("vp8", "libvpx", "vp8")]
    return known.filter { tk_media_has_encoder($0.1) != 0 && tk_media_has_decoder($0.2) != 0 }.map(\.0)
  }

  /// Codecs and containers that Tongke needs and does not find, by libavcodec's and libavformat's names; empty when
  /// all is well. Debian's packages have them all.
  public static var missing: [String] {
    let encoders: [String] = ["libx264", "libvpx", "libopus", "aac", "mjpeg"]
    let decoders: [String] = ["h264", "vp8", "libopus", "aac"]
    let containers: [String] = ["mp4", "webm"]
    return encoders.filter { tk_media_has_encoder($0) == 0 }.map { "encoder \($0)" }
      + decoders.filter { tk_media_has_decoder($0) == 0 }.map { "decoder \($0)" }
      + containers.filter { tk_media_has_container($0) == 0 }.map { "container \($0)" }
  }
}
