// Writes dist/source.sha256: one hash over everything that dist is built from.
// The Go test beside embed.go computes the same and fails when dist is stale.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const single = ['index.html', 'package-lock.json', 'svelte.config.js', 'vite.config.ts', '../viz/palette.json'];

const inSrc = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile() && !e.name.endsWith('.test.ts'))
  .map((e) => join(e.parentPath, e.name).slice(root.length + 1).replaceAll('\\', '/'));

const hex = (data) => createHash('sha256').update(data).digest('hex');
const lines = [...single, ...inSrc].sort().map((path) => `${hex(readFileSync(join(root, path)))}  ${path}\n`);
writeFileSync(join(root, 'dist', 'source.sha256'), hex(lines.join('')) + '\n');
