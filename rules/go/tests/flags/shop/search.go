package shop

import "fmt"

const searchFlag = "new-search"

func find(text string, slow bool) []string {
	enabled := exp.BoolValue(searchFlag)
	old, err := exp.BoolValue("old-search"), check()
	if err != nil {
		fmt.Println(err)
	}
	if old || !enabled {
		return scan(text)
	} else if (exp.BoolValue("old-search")) == false {
		return index(text)
	}
	fmt.Println("nothing")
	return nil
}

func limit(slow bool) int {
	if slow {
		return 10
	} else if exp.BoolValue("old-search") {
		return 20
	}
	if exp.BoolValue("new-search") && slow {
		return 30
	}
	if exp.Value("gone") == nil {
		return 40
	}
	return 50
}
