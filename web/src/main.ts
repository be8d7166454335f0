// The page starts here: styles, fonts, and the one component that chooses
// between the list of notebooks and an open notebook.
import './style/fonts.css';
import './style/tokens.css';
import './style/base.css';
import './style/code.css';
import { mount } from 'svelte';
import App from './App.svelte';

mount(App, { target: document.getElementById('app')! });
