import { defineConfig } from 'vite';

/** The worker as a file of its own, for sites whose content security policy allows no `blob:` workers. */
export default defineConfig({
  build: {
    lib: { entry: 'src/core/crypto/worker.ts', formats: ['es'], fileName: 'worker' },
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'worker.licences.md' },
    minify: true,
  },
});
