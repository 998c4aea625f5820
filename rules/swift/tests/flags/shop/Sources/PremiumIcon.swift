import Foundation

public final class PremiumIcon: IconFactory {
    public init(experiments: Experiments) {
        super.init(icon: .premium) { context in
            handler(experiments: experiments, context: context)
        }
    }
}
