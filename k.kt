import a.`old`
import b.`in`.c
fun f() { a.`old`(1); `old`(2); val `x y` = 1
 "${`x y`}" }
