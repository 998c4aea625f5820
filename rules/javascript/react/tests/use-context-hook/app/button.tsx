import * as React from 'react';
import { useContext, useState } from 'react';

export function Button({ children }: Props) {
  const [down, press] = useState<boolean>(false);
  return <b className={useContext(Theme)} title={React.useContext(Title)}>{down && children}</b>;
}
