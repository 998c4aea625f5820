class Form extends React.Component {
  submit = () => this.props.onSubmit(this.refs.name.value);

  render() {
    return <form onSubmit={this.submit}><input ref="name" /><Help ref={this.help} /></form>;
  }
}
