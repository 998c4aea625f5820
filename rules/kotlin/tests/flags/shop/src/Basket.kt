package shop

class Basket(private val toggles: Toggles) {
    private var express = toggles.isToggleEnabled(Flag.STALE_FLAG)

    fun total(): Int {
        val rounded = toggles.isFlagTreated(Flag.STALE_FLAG)
        return if (rounded && express) {
            round(sum())
        } else {
            sum()
        }
    }

    fun shipping(weight: Int): Int {
        toggles.includeEvent(Flag.STALE_FLAG)
        return if (weight > 20) {
            9
        } else if (toggles.isToggleDisabled(Flag.STALE_FLAG)) {
            5
        } else {
            if ((toggles.isToggleEnabled(Flag.STALE_FLAG)) == false) 4 else 3
        }
    }

    fun send() {
        if (!toggles.isToggleEnabled(Flag.STALE_FLAG)) {
            queue()
        }
        // at once
        deliver()
        if (toggles.isToggleEnabled(Flag.STALE_FLAG) || late()) {
            tell()
            return
        }
        log()
    }
}

enum class Flag {
    OTHER_FLAG,
    STALE_FLAG
}
