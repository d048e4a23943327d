// Says something where the page itself cannot: in a browser that does not understand it, or when a file is missing.
// A file of its own, since the policy of the page allows no script inside it; and as old browsers like it.
(function () {
  var missing = false;
  window.addEventListener(
    'error',
    function (event) {
      if (event.target && event.target.tagName === 'SCRIPT') missing = true;
    },
    true
  );
  window.addEventListener('load', function () {
    var app = document.getElementById('app');
    if (!app || app.firstChild) return;
    var text = document.createElement('p');
    text.setAttribute('role', 'alert');
    text.appendChild(
      document.createTextNode(
        missing
          ? 'A part of this page could not be loaded. Reload it.'
          : 'This browser is too old for this page. It needs Chrome or Edge 123, Firefox 120, Safari 17.5, or a later one. With nc or telnet you can talk without it.'
      )
    );
    app.appendChild(text);
  });
})();
