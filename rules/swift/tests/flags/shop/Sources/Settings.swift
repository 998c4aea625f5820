final class Settings {
    let always = Flags.STALE_FLAG.isEnabled || ready()
    private var isOn: Bool

    init() {
        isOn = Flags.STALE_FLAG.isEnabled
        if isOn { start() }
    }

    func level() -> Int {
        guard !Flags.STALE_FLAG.isEnabled else {
            // On for good.
            return self.isOn ? 1 : 2
        }
        return 3
    }

    func name(of mode: Mode) -> String {
        switch mode {
        case .fast:
            if !Flags.STALE_FLAG.isEnabled { slow() }
        case .slow:
            slow()
        }
        return Flags.STALE_FLAG.isEnabled && mode == .fast ? "fast" : "slow"
    }
}
