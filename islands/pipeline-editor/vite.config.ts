// A small script that loads the others one after another, and a style sheet: static files like any other.
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
        chunkFileNames: "editor-[hash].js",
        assetFileNames: "editor[extname]",
      },
    },
  },
});
