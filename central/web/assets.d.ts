/** Styles are bundled by the build; to the compiler they are nothing. */
declare module '*.css';
