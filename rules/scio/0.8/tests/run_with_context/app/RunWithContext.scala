object A {
  val r = runWithContext { sc => f(sc) }
  check(r, r.isCompleted, r.counters)
}
