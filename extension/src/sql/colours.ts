import {
  type IEditorLanguage,
  type IEditorLanguageRegistry,
  pythonBuiltin
} from '@jupyterlab/codemirror';
import { LanguageSupport } from '@codemirror/language';
import { type Parser, parseMixed } from '@lezer/common';

import { SQL_CELL } from '../model/completion';

/** JupyterLab reads cells of a kernel by the first of these, and of other files by the second. */
const PYTHON = ['text/x-ipython', 'text/x-python'] as const;
const HEAD_LIMIT = 2000;

/** Make Python's editor language read `%%sql` cells as SQL below their first line. */
export function colourSql(languages: IEditorLanguageRegistry): void {
  for (const mime of PYTHON) {
    const language = languages.findByMIME(mime);
    if (language !== null) {
      replace(language);
    }
  }
}

/**
 * JupyterLab has no way to add to a language, so what it loads is replaced, with all that core adds.
 *
 * The test of this module and the one in the browser fail if a later JupyterLab reads it otherwise.
 */
function replace(language: IEditorLanguage): void {
  delete language.support;
  Object.assign(language, { load: loadPythonWithSql });
}

/** Python as core loads it, and in it SQL. */
export async function loadPythonWithSql(): Promise<LanguageSupport> {
  const [{ pythonLanguage }, { PostgreSQL }] = await Promise.all([
    import('@codemirror/lang-python'),
    import('@codemirror/lang-sql')
  ]);
  const wrap = nest(PostgreSQL.language.parser);
  const mixed = pythonLanguage.configure({ wrap }, 'ipython');
  return new LanguageSupport(mixed, pythonBuiltin(mixed));
}

function nest(parser: Parser) {
  return parseMixed((node, input) => {
    if (!node.type.isTop) {
      return null;
    }
    const head = input.read(0, Math.min(input.length, HEAD_LIMIT));
    const from = SQL_CELL.exec(head)?.[0].length ?? input.length;
    return from < input.length
      ? { parser, overlay: [{ from, to: input.length }] }
      : null;
  });
}
