/// The release this program is of.
public enum TongkeVersion {
  public static let current = "0.1.0"
}
