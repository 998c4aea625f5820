func f() { `old`(1); x.`type`() ; let `in` = 1 }
