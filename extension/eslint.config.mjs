import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig([
  {
    ignores: ['node_modules', 'lib', 'coverage', 'style', '**/*.js', '**/*.mjs']
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked]
  },
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parserOptions: {
        project: 'tsconfig.test.json',
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      complexity: ['error', 8],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'no-console': 'error'
    }
  },
  {
    // Below the plugins nothing knows the application: `api` and `model` run in any page, or none.
    files: [
      'src/answer.ts',
      'src/api.ts',
      'src/model/**/*.ts',
      'src/results/{api,data,model}.ts'
    ],
    rules: {
      'no-restricted-globals': ['error', 'document', 'window'],
      'no-restricted-imports': [
        'error',
        {
          paths: ['@jupyterlab/application', '@jupyterlab/apputils', 'react'],
          patterns: ['**/plugins/*', '**/widgets/*', '@lumino/widgets']
        }
      ]
    }
  }
]);
