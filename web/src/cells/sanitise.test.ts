// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { build } from './sanitise';

function html(source: string): string {
  const box = document.createElement('div');
  box.append(build(source));
  return box.innerHTML;
}

it('keeps what Markdown makes', () => {
  const plain =
    '<h2>T</h2><p>a <em>b</em> <strong>c</strong> <code>d</code><br></p><ul><li>e</li></ul><pre><code>f</code></pre>' +
    '<table><thead><tr><th align="left">g</th></tr></thead></table>';
  expect(html(plain.replaceAll('<br></p>', '<br/></p>'))).toBe(plain);
});

it('makes links safe', () => {
  expect(html('<a href="https://x.org" title="t" target="_blank">x</a>')).toBe('<a href="https://x.org" title="t" rel="noopener noreferrer">x</a>');
  expect(html('<a href="#part">x</a>')).toContain('href="#part"');
});

it('shows task lists as signs', () => {
  expect(html('<li><input type="checkbox" checked disabled> a</li><li><input type="checkbox"> b</li>')).toBe('<li>☑ a</li><li>☐ b</li>');
});

it.each([
  ['a script', '<p>a<script>alert(1)</script></p>', '<p>a</p>'],
  ['a handler', '<p onclick="alert(1)">a</p>', '<p>a</p>'],
  ['a style', '<p style="position:fixed" class="x" id="y">a</p><style>*{}</style>', '<p>a</p>'],
  ['an image', '<img src=x onerror=alert(1)>a', 'a'],
  ['a vector image with a script', '<svg><script>alert(1)</script></svg>a', 'a'],
  ['formulas', '<math><mi onclick="x">x</mi></math>a', 'a'],
  ['a form', '<form action="/api"><button formaction="/x">b</button></form>', 'b'],
  ['a frame', '<iframe src="https://x"></iframe>a', 'a'],
  ['a javascript link', '<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'],
  ['a link hidden by control characters', '<a href="java\nscript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'],
  ['a data link', '<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'],
  ['an unknown element', '<x-y><b>a</b></x-y>', 'a'],
  ['a template', '<template><p>a</p></template>b', 'b'],
  ['a comment', '<!-- a -->b', 'b'],
  ['a number that is none', '<ol start="1;x"><li>a</li></ol>', '<ol><li>a</li></ol>'],
])('drops %s', (_, source, want) => {
  expect(html(source)).toBe(want);
});
