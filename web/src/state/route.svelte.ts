// Which page is shown: "/" lists the notebooks, "/n/ID" is one of them.

export class Route {
  /** The open notebook's id; empty on the list of notebooks. */
  notebook = $state(read());

  constructor() {
    addEventListener('popstate', () => (this.notebook = read()));
  }

  open(id: string): void {
    this.go(`/n/${encodeURIComponent(id)}`);
  }

  home(): void {
    this.go('/');
  }

  private go(path: string): void {
    if (path !== location.pathname) history.pushState(null, '', path);
    this.notebook = read();
    scrollTo(0, 0);
  }
}

function read(): string {
  const found = /^\/n\/(.+)$/.exec(location.pathname)?.[1];
  try {
    return found ? decodeURIComponent(found) : '';
  } catch {
    return '';
  }
}
