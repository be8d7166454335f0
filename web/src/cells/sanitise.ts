// Rendered Markdown into the page: a parsed copy is walked, and only elements
// and attributes on the lists below are built anew. Nothing is ever set as
// markup, so what is not listed cannot get through.

const ELEMENTS = new Set(
  'a blockquote br code dd del dl dt em h1 h2 h3 h4 h5 h6 hr li ol p pre strong sub sup table tbody td th thead tr ul'.split(' '),
);

/** Elements whose text is not for reading; they go with all that they hold. */
const DROPPED = new Set('script style iframe object embed svg math template noscript textarea title'.split(' '));

const ATTRIBUTES: Record<string, readonly string[]> = {
  a: ['href', 'title'],
  ol: ['start'],
  td: ['align'],
  th: ['align'],
};

/** Builds the nodes of rendered Markdown. */
export function build(html: string, into: Document = document): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const out = into.createDocumentFragment();
  copyChildren(parsed.body, out, into);
  return out;
}

function copyChildren(from: Node, to: Node, into: Document): void {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.appendChild(into.createTextNode(child.textContent ?? ''));
    else if (child instanceof Element) copyElement(child, to, into);
  }
}

function copyElement(from: Element, to: Node, into: Document): void {
  const name = from.localName;
  if (DROPPED.has(name) || from.namespaceURI !== 'http://www.w3.org/1999/xhtml') return;
  if (name === 'input') {
    to.appendChild(into.createTextNode(from.hasAttribute('checked') ? '☑' : '☐'));
    return;
  }
  if (!ELEMENTS.has(name)) {
    copyChildren(from, to, into);
    return;
  }
  const element = into.createElement(name);
  for (const attribute of ATTRIBUTES[name] ?? []) {
    const value = from.getAttribute(attribute);
    if (value !== null && allowed(attribute, value)) element.setAttribute(attribute, value);
  }
  if (name === 'a') element.setAttribute('rel', 'noopener noreferrer');
  copyChildren(from, element, into);
  to.appendChild(element);
}

/** Links go to web and mail addresses and places in the page. */
function allowed(attribute: string, value: string): boolean {
  const plain = value.replace(/[\u0000-\u0020]/g, '');
  if (attribute === 'href') return /^(https?:\/\/|mailto:|#)/i.test(plain);
  if (attribute === 'align') return /^(left|right|center)$/.test(plain);
  if (attribute === 'start') return /^\d+$/.test(plain);
  return true;
}
