// Light or dark: the system's choice unless the reader made one.
import type { Theme } from '../figures/colour';

export type ThemeChoice = 'system' | Theme;

const KEY = 'orrery.theme';

export class ThemeSwitch {
  choice = $state<ThemeChoice>(stored());
  private system = $state<Theme>('light');

  constructor() {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => (this.system = query.matches ? 'dark' : 'light');
    query.addEventListener('change', follow);
    follow();
    this.show();
  }

  /** What is shown now. */
  get theme(): Theme {
    return this.choice === 'system' ? this.system : this.choice;
  }

  set(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(KEY, choice);
    this.show();
  }

  /** System, the other one, then back. */
  cycle(): void {
    const other: Theme = this.system === 'dark' ? 'light' : 'dark';
    this.set(this.choice === 'system' ? other : this.choice === other ? this.system : 'system');
  }

  private show(): void {
    const { dataset } = document.documentElement;
    if (this.choice === 'system') delete dataset['theme'];
    else dataset['theme'] = this.choice;
  }
}

function stored(): ThemeChoice {
  const found = localStorage.getItem(KEY);
  return found === 'light' || found === 'dark' ? found : 'system';
}
