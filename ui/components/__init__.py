"""What the browser draws itself: small components with their script beside them."""
