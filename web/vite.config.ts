import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import solid from 'vite-plugin-solid';

/** Puts a `.gz` beside each text file: the server sends it as it is, without compressing again. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [name, item] of Object.entries(bundle)) {
          if (!/\.(js|css|html|svg)$/.test(name)) continue;
          const source = item.type === 'chunk' ? item.code : item.source;
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}

const server = process.env.VITALWIRE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [solid(), precompress()],
  server: { proxy: { '/api': { target: server } } },
  build: { target: 'es2021', modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: true },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0]);
