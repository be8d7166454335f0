// What the page says of results that were not computed in a run but kept from
// an earlier one.
import { moment, seconds } from '../figures/format';
import type { CellView } from './reducer';

/** "from the cache · computed in 4.2 s on 2026-11-26 12:01"; empty when all was computed. */
export function recalledText(cell: CellView): string {
  const { recalled } = cell;
  if (!recalled) return '';
  const { results, millis, made_at } = recalled;
  const figures = cell.outputs.filter((o) => o.figure).length;
  const which = results < figures ? `${results} of ${figures} figures from the cache` : results > 1 ? `${results} figures from the cache` : 'from the cache';
  const when = results > 1 ? `in ${seconds(millis)} together, the first on` : `in ${seconds(millis)} on`;
  return `${which} · computed ${when} ${moment(made_at)}`;
}
