// Vite makes React's calls of JSX by itself; a plugin for React adds hot reload.
export default { oxc: { jsx: { runtime: 'automatic' } } };
