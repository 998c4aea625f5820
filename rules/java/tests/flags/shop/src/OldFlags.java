package shop;

enum OldFlags {
    STALE_FLAG
}
