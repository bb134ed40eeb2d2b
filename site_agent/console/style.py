"""The style sheet of the console's pages; their policy names it by its hash."""

from typing import Final

STYLE: Final = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: #ffffff; color: #1c1c1c; overflow-wrap: break-word;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.skip { position: absolute; left: 1rem; top: 0; padding: 0.5rem; background: #ffffff;
  transform: translateY(-120%); }
.skip:focus { transform: none; }
header { border-bottom: 2px solid #1c1c1c; }
header > div, main { margin: 0 auto; padding: 0.6rem 1rem; max-width: 60rem; }
header > div { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; }
header ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0; padding: 0;
  list-style: none; }
header nav a { display: inline-block; padding: 0.3rem 0; }
header form { margin-left: auto; }
.name { font-weight: bold; }
main { padding-bottom: 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 0.5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 0.5rem; }
p, dl, .box, .sheet { max-width: 46rem; }
a { color: #00508a; }
a:focus-visible, button:focus-visible, input:focus-visible {
  outline: 3px solid #00508a; outline-offset: 1px; }
code { font-family: ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; font-size: 0.88em;
  overflow-wrap: anywhere; }
.note { color: #3c3c3c; font-size: 0.92rem; }
.cards { padding: 0; list-style: none; max-width: 46rem; }
.cards > li { margin: 0 0 1rem; padding: 0.6rem 1rem; border: 1px solid #8a8a8a;
  border-left-width: 6px; }
.cards h3 { margin: 0; font-size: 1.1rem; }
.cards p { margin: 0.25rem 0; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.25rem 1rem;
  margin: 0.75rem 0; }
dt { color: #3c3c3c; }
dd { margin: 0; min-width: 0; }
.box { margin: 0.75rem 0; padding: 0.5rem 0.9rem; border: 1px solid #8a8a8a; border-left-width: 6px;
  background: #f6f6f6; white-space: pre-line; }
.box p { margin: 0.25rem 0; }
.warning { border-color: #a80f22; }
.sheet p { margin: 0.5rem 0; }
.sheet p.part { margin: 0.25rem 0 0.25rem 1.5rem; }
.sheet p.gap { margin-top: 1.25rem; }
.sheet .alarm { border-left: 6px solid #a80f22; padding-left: 0.6rem; font-weight: bold; }
.contents { columns: 18rem; padding-left: 1.2rem; max-width: 46rem; }
.entries { padding: 0; list-style: none; max-width: 46rem; }
.entries > li { padding: 0.5rem 0; border-top: 1px solid #dddddd; }
.entries p { margin: 0; }
.way { display: inline-block; margin: 0.5rem 0; padding: 0.4rem 0.9rem; border: 2px solid #00508a;
  border-radius: 3px; font-weight: bold; text-decoration: none; }
label { display: block; margin-top: 0.75rem; font-weight: bold; }
label.choice { display: flex; gap: 0.6rem; align-items: baseline; font-weight: normal;
  max-width: 46rem; }
input[type="date"] { display: block; margin-top: 0.2rem; padding: 0.5rem; font: inherit;
  color: inherit; background: #ffffff; border: 1px solid #6a6a6a; border-radius: 3px; }
input[type="checkbox"] { width: 1.1rem; height: 1.1rem; flex: none; }
button { margin-top: 0.9rem; padding: 0.5rem 1.1rem; font: inherit; font-weight: bold;
  cursor: pointer; color: #ffffff; background: #00508a; border: 2px solid #00508a;
  border-radius: 3px; }
button.other { color: #1c1c1c; background: #ffffff; border-color: #1c1c1c; }
header button { margin: 0; padding: 0.25rem 0.8rem; font-weight: normal; }
.buttons { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; }
@media (max-width: 30rem) {
  h1 { font-size: 1.35rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin: 0 0 0.5rem; }
}
@media print {
  header, .skip, form, .buttons, .contents { display: none; }
  main, p, dl, .box, .sheet, .cards { max-width: none; }
  h1, h2, h3 { break-after: avoid; }
  .box, .cards > li, .entries > li { break-inside: avoid; }
}
"""
