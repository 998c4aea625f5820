import React from 'react';

export class Frame extends React.Component {
  unstable_handleError(error) {
    this.setState({ error });
  }
}
