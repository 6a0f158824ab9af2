import type { ITable } from '../model/catalog';
import { suggest } from '../model/completion';

function table(name: string, ...columns: readonly string[]): ITable {
  return {
    name,
    columns: columns.map(column => ({
      table: name,
      column,
      type: 'VARCHAR',
      comment: null
    }))
  };
}

const TABLES = [
  table('message_metrics', 'role', 'tokens', 'Total'),
  table('debate_metrics', 'role', 'round')
];

/** What is suggested at the `|` of a cell. */
function at(cell: string): readonly string[] {
  const cursor = cell.indexOf('|');
  const { items } = suggest(cell.replace('|', ''), cursor, TABLES);
  return items.map(({ insert }) => insert);
}

describe('suggest', () => {
  it.each([
    [
      'tables after FROM',
      'SELECT * FROM |',
      ['message_metrics', 'debate_metrics']
    ],
    ['what begins with the word', 'SELECT * FROM DEB|', ['debate_metrics']],
    [
      'the columns of tables in use before other tables',
      'SELECT r| FROM debate_metrics',
      ['role', 'round']
    ],
    ['a column of two tables once', 'SELECT rol|', ['role']],
    [
      'the columns of a table',
      'SELECT message_metrics.|',
      ['role', 'tokens', '"Total"']
    ],
    [
      'the columns behind an alias',
      'SELECT d.r| FROM message_metrics m JOIN debate_metrics AS d ON true',
      ['role', 'round']
    ],
    ['nothing in a text', "SELECT 'ro|", []],
    ['nothing in a comment', 'SELECT 1 -- ro|', []]
  ])('gives %s', (_, sql, expected) => {
    expect(at(`%%sql -o rows\n${sql}`)).toEqual(expected);
  });

  it.each([
    'rol|',
    '%%sq|l\nrole',
    '%%sql|',
    '# %%sql\nrol|',
    'x = 1\n%%sql\nrol|'
  ])('gives nothing outside the SQL of a cell: %s', cell => {
    expect(at(cell)).toEqual([]);
  });

  it('replaces the word before the cursor', () => {
    const { start, end } = suggest('%%sql\nSELECT rol', 16, TABLES);

    expect([start, end]).toEqual([13, 16]);
  });
});
