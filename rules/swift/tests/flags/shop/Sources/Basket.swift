import Foundation

final class Basket {
    private let isFast = Flags.STALE_FLAG.isEnabled
    private var items: [Item] = []

    func total(of customer: Customer?) -> Int {
        guard Flags.STALE_FLAG.isEnabled, let customer = customer else {
            return 0
        }
        // What it costs.
        var sum = 0
        for item in items where !Flags.STALE_FLAG.isEnabled || item.price > 0 {
            sum += item.price
        }
        if isFast && sum == 0 {
            // Nothing to pay.
            return customer.credit
        } else if Flags.STALE_FLAG.isEnabled {
            return sum
        } else {
            return slow(sum)
        }
    }

    func label(for item: Item) -> String {
        let old = !Flags.STALE_FLAG.isEnabled
        if old {
            return "old \(item.name)"
        }
        log { "fast: \(self.isFast), old: \(old)" }
        return Flags.STALE_FLAG.isEnabled == (item.price < 10) ? "cheap" : "dear"
    }

    func kind() -> Kind {
        switch items.first?.kind {
        case .some(.food), .some(.drink):
            return Flags.OTHER.isEnabled ? .fresh : .dry
        default:
            if !Flags.STALE_FLAG.isEnabled { return .old }
            return .new
        }
    }
}
