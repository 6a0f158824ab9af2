import { EditorLanguageRegistry } from '@jupyterlab/codemirror';

import { colourSql } from '../sql/colours';

/** The syntax node at the first `mark` of a cell, in the language that JupyterLab gives for it. */
async function nodeAt(mark: string, mime: string, cell: string) {
  const languages = new EditorLanguageRegistry();
  for (const language of EditorLanguageRegistry.getDefaultLanguages()) {
    languages.addLanguage(language);
  }
  colourSql(languages);
  const name = languages.findByMIME(mime)?.name ?? '';
  const language = await languages.getLanguage(name);
  const tree = language?.support?.language.parser.parse(cell);
  return tree?.resolveInner(cell.indexOf(mark), 1).name;
}

describe.each(['text/x-ipython', 'text/x-python'])('a cell of %s', mime => {
  it.each([
    ['SELECT', 'Keyword'],
    ["'a'", 'String'],
    ['11', 'Number']
  ])('is SQL below %%sql: %s', async (mark, node) => {
    const cell = "\n%%sql -o x\nSELECT 'a', 11 FROM b\n";

    expect(await nodeAt(mark, mime, cell)).toBe(node);
  });

  it.each(['SELECT', '%%sql SELECT', '%%sqlite\nSELECT', '"%%sql"\nSELECT'])(
    'is Python otherwise: %s',
    async cell => {
      expect(await nodeAt('SELECT', mime, cell)).toBe('VariableName');
    }
  );

  it('leaves the rest of Python as it was', async () => {
    expect(await nodeAt('None', mime, 'x = None')).toBe('None');
  });
});
