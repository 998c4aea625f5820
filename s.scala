import a.`old`
object A { `old`(1); x.`type` }
