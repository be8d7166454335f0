// The reader's hand over a drawn figure: a cell is pressed and dragged, or
// lifted, carried and dropped by keys. What is held belongs to the page, since
// it may be dropped in another figure.
import type { Desk } from '../state/desk.svelte';
import type { Place } from './moves';
import { fixed, refusal } from './moves';
import type { Spot, View } from './painter';

/** What the hand needs of the figure under it. */
export interface Bench {
  desk: Desk | undefined;
  /** True for token grids, whose cells can be moved. */
  cells: boolean;
  place: (spot: Spot) => Place;
  /** The spot one step from another. */
  walk: (from: Spot | null, dx: number, dy: number) => Spot;
  /** Takes card and frame away, or points at a spot. */
  point: (spot: Spot | null) => void;
  reveal: (spot: Spot) => void;
  focus: () => void;
}

/** A pointer that goes further than this many pixels drags. */
const SLACK = 5;

export const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export class Hand {
  /** Where the pointer went down on a cell that can be moved. */
  private pressed: { spot: Spot; x: number; y: number } | null = null;
  /** True from a drag until the click that ends it, which locks nothing. */
  private dragged = false;

  constructor(private readonly bench: () => Bench) {}

  /** True when a cell can be taken into the hand. */
  movable(spot: Spot | null): boolean {
    const { desk, cells, place } = this.bench();
    return desk !== undefined && cells && spot !== null && !fixed(place(spot));
  }

  /** The part of what is held that is in this figure. */
  lift(): View['lift'] {
    const { desk, place } = this.bench();
    const held = desk?.gesture;
    if (!held) return undefined;
    const { output } = place({ panel: 0, row: 0, col: 0 });
    const from = held.from.output === output ? held.from.spot : null;
    const into = held.at?.output === output ? held.at.spot : null;
    if (!from && !into) return undefined;
    return { from, into, fits: held.at !== null && !refusal(held.from, held.at) };
  }

  /** The pointer goes down on a spot. A finger scrolls; the card has a button for it. */
  press(event: PointerEvent, on: Spot | null): void {
    this.dragged = false;
    const takes = !this.bench().desk?.gesture && event.button === 0 && event.pointerType !== 'touch' && this.movable(on);
    this.pressed = takes ? { spot: on!, x: event.clientX, y: event.clientY } : null;
  }

  /** The pointer moves over a spot; true when that is about what is held. */
  move(event: PointerEvent, on: Spot | null): boolean {
    const { desk, place, point } = this.bench();
    if (!desk) return false;
    if (desk.gesture?.by === 'pointer') {
      desk.act({ do: 'hold', at: on && place(on) });
      return true;
    }
    const { pressed } = this;
    if (!pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) <= SLACK) return false;
    this.pressed = null;
    this.dragged = true;
    point(null);
    desk.act({ do: 'lift', from: place(pressed.spot), by: 'pointer' });
    return true;
  }

  /** The pointer leaves the figure. */
  out(): void {
    const { desk } = this.bench();
    if (desk?.gesture?.by === 'pointer') desk.act({ do: 'hold', at: null });
  }

  /** The pointer is released anywhere, or Escape is pressed: the figure that it came from ends the drag. */
  end(how: 'drop' | 'leave'): void {
    this.pressed = null;
    const { desk, place } = this.bench();
    const held = desk?.gesture;
    if (desk && held?.by === 'pointer' && held.from.output === place(held.from.spot).output) desk.act({ do: how });
  }

  /** A click; true when it ended a drag or dropped what keys hold. */
  click(on: Spot | null): boolean {
    const { desk, place } = this.bench();
    if (this.dragged) {
      this.dragged = false;
      return true;
    }
    if (!desk?.gesture || !on) return false;
    desk.act({ do: 'hold', at: place(on) });
    desk.act({ do: 'drop' });
    return true;
  }

  /** Takes a cell into the hand, by keys or by the card's button. */
  raise(spot: Spot): void {
    const { desk, place, point, focus } = this.bench();
    const from = place(spot);
    point(null);
    desk?.act({ do: 'lift', from, by: 'keys' });
    focus();
  }

  /** A key while a cell is in the hand; true when it was about that. */
  carry(key: string): boolean {
    const { desk, place, walk, point, reveal } = this.bench();
    const held = desk?.gesture;
    if (!desk || !held) return false;
    const { output } = place({ panel: 0, row: 0, col: 0 });
    const here = held.at?.output === output ? held.at.spot : null;
    const arrow = ARROWS[key];
    if (arrow) {
      const next = walk(here, ...arrow);
      desk.act({ do: 'hold', at: place(next) });
      reveal(next);
    } else if (key === 'Enter') {
      if (!here) desk.act({ do: 'hold', at: place(walk(null, 0, 0)) });
      desk.act({ do: 'drop' });
    } else if (key === 'Escape') {
      if (held.from.output === output) point(held.from.spot);
      desk.act({ do: 'leave' });
    } else return key === ' ';
    return true;
  }
}
