import { defineConfig } from 'vite';

/** The page that sites put into an iframe: static files for any path of any server. */
export default defineConfig({
  root: 'embed',
  base: './',
  worker: { format: 'es' },
  build: {
    outDir: '../dist/embed',
    emptyOutDir: true,
    sourcemap: true,
    target: 'es2022',
    license: { fileName: 'THIRD-PARTY-LICENCES.md' },
    rolldownOptions: { input: 'embed/embed.html' },
  },
});
