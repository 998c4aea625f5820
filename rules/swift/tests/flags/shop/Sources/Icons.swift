public typealias IconFactory = Factory<Icon>

public enum Icon: Switch {
    case plain
    case premium // for a while

    public var key: String {
        switch self {
        case .plain: return "plain-icon"
        case .premium: return "stale-key"
        }
    }
}
