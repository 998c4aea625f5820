public final class PlainIcon: IconFactory {
    public init() {
        super.init(icon: .plain) { context in handler(context: context) }
    }
}
