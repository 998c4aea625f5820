object A { val u = sys.props("user.name") }
