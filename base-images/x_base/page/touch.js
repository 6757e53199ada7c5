// The on-screen keyboard of a phone or a tablet: what it types into a field that nobody sees goes to the desktop.

const KEYS = { deleteContentBackward: 0xff08, deleteContentForward: 0xffff, insertLineBreak: 0xff0d, insertParagraph: 0xff0d };
const keysym = (character) => {
  const point = character.codePointAt(0);
  return point < 0x100 ? point : 0x01000000 | point;
};

// `button` shows the keyboard, `field` takes its text, `rfb` gives the connection, or null.
export function typeByTouch({ button, field, rfb }) {
  const clear = () => { field.value = " "; }; // something must be there for a key that deletes
  button.onclick = () => {
    clear();
    field.focus();
  };
  field.addEventListener("beforeinput", (event) => {
    if (event.isComposing) return;
    if (KEYS[event.inputType]) rfb()?.sendKey(KEYS[event.inputType], null);
    else for (const character of event.data ?? "") rfb()?.sendKey(keysym(character), null);
    event.preventDefault();
  });
  field.addEventListener("compositionend", (event) => {
    for (const character of event.data) rfb()?.sendKey(keysym(character), null);
    clear();
  });
}
