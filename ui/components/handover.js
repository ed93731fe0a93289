// Gives a person a file, as the browser does with a download.
export function render({ model }) {
  model.on("msg:custom", ({ name, content }) => {
    const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    const address = URL.createObjectURL(new Blob([bytes]));
    const link = html("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  });
}
