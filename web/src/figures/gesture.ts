// Moving a cell by pointer or by keys, as a pure step from state to state; each
// step says in words what happened, for the live region.
import { fixed, inWords, refusal, target, type Place } from './moves';

export interface Gesture {
  from: Place;
  /** Where it is held; null beside all cells. */
  at: Place | null;
  by: 'pointer' | 'keys';
}

export type Act =
  | { do: 'lift'; from: Place; by: Gesture['by'] }
  /** Moves what is lifted over a place, or off all of them. */
  | { do: 'hold'; at: Place | null }
  | { do: 'drop' }
  | { do: 'leave' };

export interface Step {
  gesture: Gesture | null;
  said: string;
  /** The move that was made. */
  move?: { from: Place; into: Place };
}

const same = (a: Place | null, b: Place | null): boolean =>
  a === b ||
  (a !== null && b !== null && a.output === b.output && a.spot.panel === b.spot.panel && a.spot.row === b.spot.row && a.spot.col === b.spot.col);

export function step(gesture: Gesture | null, act: Act): Step {
  switch (act.do) {
    case 'lift': {
      const why = fixed(act.from);
      if (why) return { gesture: null, said: `Not lifted: ${why}.` };
      const at = act.by === 'keys' ? target(act.from) : act.from;
      const how = act.by === 'keys' ? ' Arrows move it, Enter drops it, Escape leaves it.' : '';
      return { gesture: { from: act.from, at, by: act.by }, said: `Lifted ${inWords(act.from)}.${how}` };
    }
    case 'hold': {
      if (!gesture || same(gesture.at, act.at)) return { gesture, said: '' };
      const why = act.at ? refusal(gesture.from, act.at) : '';
      const said = act.at ? `Over ${inWords(act.at)}${why ? `: not here, ${why}` : ''}.` : 'Beside all cells.';
      return { gesture: { ...gesture, at: act.at }, said };
    }
    case 'drop': {
      if (!gesture) return { gesture, said: '' };
      const { from, at, by } = gesture;
      if (!at) return { gesture: null, said: 'Put back.' };
      const why = refusal(from, at);
      // By keys the reader tries again; a pointer that was released holds nothing.
      if (why) return { gesture: by === 'keys' ? gesture : null, said: `Not dropped: ${why}.` };
      return { gesture: null, said: `Dropped on ${inWords(at)}: the patched run follows.`, move: { from, into: at } };
    }
    case 'leave':
      return { gesture: null, said: gesture ? 'Put back.' : '' };
  }
}
