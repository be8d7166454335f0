import { expect, it } from 'vitest';
import { graphOf } from './graph';
import { newCell, type CellView } from './reducer';

const code = (id: string, defines: string[], uses: string[], more: Partial<CellView> = {}): CellView => ({
  ...newCell(id, 'code', `${id}()\nmore`),
  state: 'done',
  defines,
  uses,
  ...more,
});

it('links the cell that defines a name to those that use it', () => {
  const { nodes, links } = graphOf([
    newCell('t', 'markdown', '# T'),
    code('a', ['m', 'k'], []),
    code('b', ['lens'], ['m', 'k'], { validity: 'stale' }),
    code('c', [], ['m', 'nowhere']),
  ]);
  expect(links).toEqual([{ from: 0, to: 1 }, { from: 0, to: 2 }]);
  expect(nodes).toEqual([
    { cell: 'a', number: 2, mark: 'done', label: 'm, k', words: 'read by cells 3, 4' },
    { cell: 'b', number: 3, mark: 'stale', label: 'lens', words: 'reads m from cell 2, k from cell 2' },
    { cell: 'c', number: 4, mark: 'done', label: 'c()', words: 'reads m from cell 2' },
  ]);
});

it('links nothing to a name that two cells define, nor a cell to itself', () => {
  expect(graphOf([code('a', ['x'], []), code('b', ['x'], []), code('c', ['y'], ['x', 'y'])]).links).toEqual([]);
});
