package shop;

class Basket {
    private final Toggles toggles;
    private boolean express = toggles.isToggleEnabled(Flag.STALE_FLAG);

    int total() {
        boolean rounded = toggles.isFlagTreated(Flag.STALE_FLAG);
        if (rounded && express) {
            return round(sum());
        } else {
            return sum();
        }
    }

    int shipping(int weight) {
        if (weight > 20) {
            return 9;
        } else if (toggles.isToggleDisabled(Flag.STALE_FLAG)) {
            return 5;
        }
        toggles.includeEvent(Flag.STALE_FLAG);
        return (toggles.isToggleEnabled(Flag.STALE_FLAG)) == false ? 4 : 3;
    }

    void send() {
        if (!toggles.isToggleEnabled(Flag.STALE_FLAG)) {
            queue();
            return;
        }
        // at once
        deliver();
        if (toggles.isToggleEnabled(Flag.STALE_FLAG) || late()) {
            tell();
            return;
        }
        log();
    }
}

enum Flag {
    OTHER_FLAG,
    STALE_FLAG
}
