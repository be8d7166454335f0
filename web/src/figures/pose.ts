// Turning points in space by hand. A point is in a cube from -1 to 1 along
// each axis; z runs upwards. The eye looks from far away (no perspective), so
// that equal lengths in one direction stay equal in the picture.
import type { Pose } from './painter';

/** A point of the picture: right and up in the cube's unit, and how far from the eye. */
export interface Seen {
  right: number;
  up: number;
  depth: number;
}

export type Point = readonly [x: number, y: number, z: number];

export const ZOOM = { least: 0.5, most: 16, step: 1.25 };
/** Degrees that a drag of one pixel turns by. */
const DRAG = 0.4;

const RADIANS = Math.PI / 180;

/**
 * Turns points by the azimuth about z, then tilts them towards the eye by the
 * elevation, as viz.Scatter says: at 0, 0 the eye looks along y.
 */
export function turner({ azimuth, elevation }: Pick<Pose, 'azimuth' | 'elevation'>): (p: Point) => Seen {
  const [ca, sa] = [Math.cos(azimuth * RADIANS), Math.sin(azimuth * RADIANS)];
  const [ce, se] = [Math.cos(elevation * RADIANS), Math.sin(elevation * RADIANS)];
  return ([x, y, z]) => {
    const away = x * sa + y * ca;
    return { right: x * ca - y * sa, up: z * ce + away * se, depth: away * ce - z * se };
  };
}

/** The pose turned by so many degrees; the eye stays between straight above and straight below. */
export function turned(pose: Pose, right: number, up: number): Pose {
  const azimuth = (((pose.azimuth + right) % 360) + 360) % 360;
  return { ...pose, azimuth, elevation: Math.min(90, Math.max(-90, pose.elevation + up)) };
}

/** The pose after a drag by so many pixels: the points follow the hand. */
export function draggedTurn(pose: Pose, dx: number, dy: number): Pose {
  return turned(pose, dx * DRAG, dy * DRAG);
}

/** A plane moved by shares of its size in view; it does not leave the view wholly. */
export function shifted(pose: Pose, x: number, y: number): Pose {
  const most = Math.max(0, 1 - 0.5 / pose.zoom);
  const within = (v: number) => Math.min(most, Math.max(-most, v));
  return { ...pose, x: within(pose.x + x / pose.zoom), y: within(pose.y + y / pose.zoom) };
}

/** The pose enlarged by so many steps. */
export function zoomed(pose: Pose, steps: number): Pose {
  return { ...pose, zoom: Math.min(ZOOM.most, Math.max(ZOOM.least, pose.zoom * ZOOM.step ** steps)) };
}
