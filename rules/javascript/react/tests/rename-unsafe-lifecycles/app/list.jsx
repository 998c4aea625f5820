class List extends React.Component {
  componentWillMount() {
    Mixin.componentWillMount.call(this);
  }

  componentWillReceiveProps = (next) => this.setState({ rows: next.rows });

  componentDidMount() {}
}
