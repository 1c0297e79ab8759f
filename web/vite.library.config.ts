import { defineConfig } from 'vite';

/** The library, for the bundler of a site: its dependencies stay imports, the worker lies inside. */
export default defineConfig({
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'index' },
    outDir: 'dist',
    // The worker's file is there already.
    emptyOutDir: false,
    sourcemap: true,
    target: 'es2022',
    rolldownOptions: { external: ['hls.js', /^@noble\//] },
  },
});
