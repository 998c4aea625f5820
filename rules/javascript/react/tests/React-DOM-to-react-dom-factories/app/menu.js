import React, { DOM } from 'react';

export const item = (text) => DOM.li({ key: text }, text);
export const menu = (texts) => React.DOM.ul(null, texts.map(item));
