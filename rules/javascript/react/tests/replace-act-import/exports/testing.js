export * from "react-dom/test-utils";
export const nothing = () => null;
