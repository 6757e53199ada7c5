// One script and one style sheet, which the platform serves like any other static file.
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  publicDir: false,
  build: {
    outDir: "../../src/spacelab/pipelines/static/pipelines/editor",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false, // its helper would be a script of its own
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: "src/main.tsx",
      output: {
        entryFileNames: "editor.js",
        assetFileNames: "editor[extname]",
        codeSplitting: false,
      },
    },
  },
});
