const React = require('react');
const { Component, DOM } = React;

class Menu extends Component {
  render() {
    return DOM.ul(null, this.props.texts.map((text) => DOM.li({ key: text }, text)));
  }
}
