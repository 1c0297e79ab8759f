import { defineConfig } from 'vite';

/** The user interface on a core that does what a test says; `--outDir` comes from the test. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: { emptyOutDir: false, target: 'es2022', rolldownOptions: { input: 'gallery.html' } },
});
