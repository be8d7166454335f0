import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // Tests run in Node; those that need a document name jsdom at their head.
  test: { css: true, include: ['src/**/*.test.ts'], environment: 'node' },
  resolve: { conditions: ['browser'] },
});
