const Theme = createContext<'dark' | 'light'>('light');

export const Shell = ({ theme, children }: Props) => (
  <Theme.Provider value={theme}>
    <User.Provider value={null}>{children}</User.Provider>
    <Theme.Consumer>{(theme) => <b>{theme}</b>}</Theme.Consumer>
  </Theme.Provider>
);
