package shop

enum class OldFlags {
    STALE_FLAG
}
